"""Records what a model is asked and answers, where the model is served.

    import watchkeep as wk

    app = wk.capture.middleware(app, endpoint="churn")       # ASGI or WSGI


    @wk.capture.watch(endpoint="churn")                       # or a function
    def predict(row): ...

It needs nothing but Python, and imports nothing before it is used. `watchkeep check BASELINE captures:churn` reads what
was recorded.
"""

from watchkeep.capture.client import Durability, middleware, recorder_of, watch
from watchkeep.capture.policies import Policy

__all__ = ["Durability", "Policy", "middleware", "recorder_of", "watch"]
