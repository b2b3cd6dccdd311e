"""What stands behind the door `import costlab`: one module a theme; `costlab/__init__.py` lists the names."""
