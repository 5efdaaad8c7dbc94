"""The inference container: raw Big Mart rows in, predicted sales out, over HTTP."""
