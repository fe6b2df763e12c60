"""Learning the kernels of a pursuit: a dictionary that describes signals by few spikes.

`updates` moves kernels while the places of spikes stay, `moves` changes their sizes and number,
and `learner` puts both to work on training signals. Nothing here needs torch.
"""
