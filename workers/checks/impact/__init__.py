"""The impact engine: who is touched by a change to nodes, tables or columns, near and far.

`walk` goes outward over anything; `nodes` and `tables` have it go over DataWorks; `values` is what comes of
it, `baselines` and `summary` put that into names and words.
"""
