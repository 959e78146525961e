"""Asking language models: priced, capped, recorded, replayable. Nothing of pydantic-ai is imported before it is needed.

How to build on it (import inside the function that asks):

    from workflows.ai.model import Desk, Question, ask
    exchange = await ask(desk, Question(system="...", prompt="...", schema={...}, purpose="builder"))
    exchange.text, exchange.data, exchange.cost            # cost: {"tokens", "input_tokens", "output_tokens", "usd"}

- `workflows.ai.model`  `Desk` says who asks (organization, run, account, caps); `ask(desk, Question) -> Exchange` makes
  one recorded call: reserve, call, settle. `budgeted(desk)` is a pydantic-ai `Model` that does the same for every
  turn of an `Agent`, so agents never call a provider past the caps either. `Question.is_charged=False` records the
  price without counting it against the customer.
- `workflows.ai.desk`   `open_desk(organization_id, ...)` makes a Desk outside of a run, for jobs (builder, knowledge).
- `workflows.ai.operations`  generate, extract, classify, summarize, transcribe: what the ai step offers.
- `workflows.ai.budget` reservations: `reserve`, `settle`, `release`, in one row-locked statement for each call.
- `workflows.ai.prices` what a model costs, which models there are, and the default of each provider.
- `workflows.ai.marking` marks data from outside as data (`Marker`), and takes personal data and secrets out of prompts.
- `workflows.ai.door`   the way of every request through integrations.framework.client, whatever the vendor's library.

Every failure is a ConnectorError: TemporaryError (try again, retry_after), PermanentError, ReconnectError.
"""
