"""A guestbook: entries in PostgreSQL, a count of visits in Redis."""

import os

import psycopg2
import redis
from flask import Flask, jsonify, request

app = Flask(__name__)
visits = redis.Redis(host=os.environ["CACHE_HOST"], socket_timeout=5)


def connect():
    with open(os.environ["PASSWORD_FILE"], encoding="utf-8") as file:
        password = file.read().strip()
    return psycopg2.connect(
        host=os.environ["DB_HOST"], user="guestbook", dbname="postgres", password=password, connect_timeout=5
    )


with connect() as first:
    first.cursor().execute("CREATE TABLE IF NOT EXISTS entries (id serial PRIMARY KEY, name text, text text)")


@app.get("/")
def page():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name, text FROM entries ORDER BY id DESC LIMIT 100")
        entries = [{"name": name, "text": text} for name, text in cursor.fetchall()]
    return jsonify(visits=visits.incr("visits"), entries=entries)


@app.post("/")
def sign():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO entries (name, text) VALUES (%s, %s)",
            (request.form.get("name", "anonymous")[:80], request.form.get("text", "")[:2000]),
        )
    return jsonify(ok=True), 201


@app.get("/healthz")
def healthz():
    visits.ping()
    connect().close()
    return "ok"
