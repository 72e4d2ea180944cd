"""A checked tree becomes the intermediate representation, in which every decision is made.

One module for each file of a package; `xlmc.lower.family` puts them together, `xlmc.lower.ir`
defines what the templates may read. A decoder takes two steps: `decoder` with `actions`, `amounts`
and `endings` builds the view of it, `methods` with the makers that it chooses from its methods.
"""
