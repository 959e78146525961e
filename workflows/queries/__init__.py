"""What pages show: reads that gather what a page needs in a constant number of queries."""
