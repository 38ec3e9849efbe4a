"""How does Microsoft bill a partner, and what does it bill this invented one? Pure: no requests, no clock of its own.

How a month becomes an invoice can be read in this order:

- `customers` have subscriptions; `meters` and `offers` have prices;
- `usage`: what their resources use, and what a day of it costs; `usage_rows`: how a line of daily usage says so;
- `purchases`: what they buy besides;
- `reconciliation`: how both become the lines of an invoice, and the lines its total; `money`: how that is rounded;
- `invoices`: which there are, and since when; `events`: what happens to them;
- `bill` and `books`: what one of them is about, and all that the partner owes.

In `differences` documents contradict each other on purpose. The rest makes of it what can be exported.
"""
