"""The intermediate representation becomes the bytes of a package.

Templates are rendered, library modules are cut to what the package uses, and the manifest is
written. Nothing here touches the folder of a package on the disk.
"""
