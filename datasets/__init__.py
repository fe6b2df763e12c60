"""The data sets, by name."""

if __name__ == "datasets":
    raise ImportError("this folder is the package sans.datasets: write `import sans.datasets`")
