"""Values that merge: sufficient statistics, each with a versioned codec.

The law of every state: `merge` is associative and commutative, and the state of a whole equals the merged states
of its pieces (exactly for counts; to rounding for sums of floats).
"""
