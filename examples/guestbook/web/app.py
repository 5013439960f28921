"""A guestbook: entries live in Redis, the page shows the newest first."""

import os
import time

import redis
from flask import Flask, jsonify, redirect, render_template, request

app = Flask(__name__)
store = redis.Redis(host=os.environ.get("REDIS_HOST", "db"), decode_responses=True, socket_timeout=5)


def entries():
    return [dict(zip(("time", "name", "text"), line.split("\t", 2))) for line in store.lrange("entries", 0, 99)]


@app.get("/")
def page():
    return render_template("page.html", entries=entries())


@app.post("/")
def sign():
    name = (request.form.get("name") or "anonymous").replace("\t", " ")[:80]
    text = (request.form.get("text") or "").strip()[:2000]
    if not text:
        return jsonify(error="text is empty"), 400
    store.lpush("entries", "\t".join((time.strftime("%Y-%m-%d %H:%M:%S"), name, text)))
    return redirect("/", code=303)


@app.get("/api/entries")
def api():
    return jsonify(entries())


@app.get("/healthz")
def healthz():
    store.ping()
    return "ok"


@app.errorhandler(redis.exceptions.ConnectionError)
@app.errorhandler(redis.exceptions.TimeoutError)
def no_store(error):
    return jsonify(error=f"the database does not answer: {error}"), 503
