"""What happens to frames between callbacks and topics: waiting, pairing, threads, counting, traces."""
