"""`python -m ibkr_trader`: the same program as the `ibkr-trader` script."""

from ibkr_trader.cli import main

if __name__ == "__main__":
    main()
