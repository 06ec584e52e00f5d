"""How a run is judged while it trains, on data that it never trains on."""
