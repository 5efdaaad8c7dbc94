"""The steps that pipelines are made of, a file each."""
