"""How an order is executed: pools, splits and the aggregator compared by what is left of each.

Pure: quotes and costs come in as values and functions, a `domain.chain.Route` comes out.
"""
