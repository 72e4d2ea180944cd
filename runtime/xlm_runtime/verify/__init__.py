"""Examination of a package on toy data that can be enumerated, with a table as its network.

The table has a trainable row for every noised input, is fitted with the package's own loss and
sampled with its own decoders. The results are compared with the toy's distribution and with the
package's claims.

No module here knows a family: it reads the interface of `xlm_runtime.plug`, and a probe determines
which places a network sees. A positive reweighting of the loss that leaves the best answers
unchanged is not detected, except if the package claims that its loss is the likelihood; the tests
under ``tests/laws`` cover the rest.
"""
