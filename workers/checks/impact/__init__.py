"""The impact engine: the direct and indirect dependents of nodes, tables and columns.

`graph_walk` is a bounded search of any graph; `nodes` and `tables` run it on DataWorks; `model` has the
results; `baselines` and `summary` describe them.
"""
