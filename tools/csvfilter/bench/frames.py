"""frames.py duckdb|polars CONDITION FILE [csv|jsonl]: the rows that meet an SQL condition, with one thread.

Every column is text, and CONDITION casts what it compares: guessed types would take the zeros from 007.
Both stream from the file into standard output; importing them takes some 0.1 s.
"""

import os
import sys

OUT = "/dev/stdout"


def with_duckdb(condition, path, form):
    import duckdb

    options = "FORMAT json" if form == "jsonl" else "HEADER, DELIMITER ','"
    place = path.replace("'", "''")
    duckdb.connect(config={"threads": 1}).execute(
        f"COPY (SELECT * FROM read_csv('{place}', all_varchar=true) WHERE {condition}) TO '{OUT}' ({options})"
    )


def with_polars(condition, path, form):
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars

    kept = polars.scan_csv(path, infer_schema=False).filter(polars.sql_expr(condition))
    if form == "jsonl":
        kept.sink_ndjson(OUT)
    else:
        kept.sink_csv(OUT)


def main():
    engine, condition, path, *form = sys.argv[1:]
    {"duckdb": with_duckdb, "polars": with_polars}[engine](condition, path, (form or ["csv"])[0])


if __name__ == "__main__":
    main()
