"""What `baton-bench report` is made of.

lines      results/*.jsonl -> runs, the newest of each kind
shapes     the one place that knows what the data of each kind looks like -> model
model      what was measured, free of the form it was stored in
targets    what baton promises itself, and whether it was met
sections   model -> document: headings, tables, figures
document   the parts of a document; page and markdown write it down
charts     figures as SVG, built on svg
pace       committed offsets -> events per second along a topic
readme     the block of figures in README.md
wording    numbers, units and dates as people read them
"""
