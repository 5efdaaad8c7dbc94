"""The preprocessing container: raw Big Mart sales in, encoded features and the fitted encoding out."""
