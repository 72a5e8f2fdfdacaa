"""moto's IAM and STS as strict as the real ones where a rotation notices.

Every request must be signed and allowed from the first on; a key that is not active is unknown, and so is
one that was made less than PROPAGATION seconds ago (an argument): AWS tells its servers of new keys over
some seconds. Prints where it listens, then a line `USER ID SECRET` for each key that exists, then `ready`, and
goes on until its standard input ends.
"""

import json
import os
import sys
import threading

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.core.utils import utcnow
from moto.iam import access_control
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

ACCOUNT = "123456789012"
propagation = float(sys.argv[1])
iam = iam_backends[ACCOUNT]["aws"]
known_from_the_start = set()
plain_create_access_key = access_control.create_access_key


def create_access_key(account_id, partition, access_key_id, headers):
    found = plain_create_access_key(account_id, partition, access_key_id, headers)
    key = iam.access_keys.get(access_key_id)
    if key is None or key.status != "Active":
        raise access_control.CreateAccessKeyFailure(reason="InvalidId")
    age = (utcnow() - key.create_date.replace(tzinfo=None)).total_seconds()
    if access_key_id not in known_from_the_start and age < propagation:
        raise access_control.CreateAccessKeyFailure(reason="InvalidId")
    return found


access_control.create_access_key = create_access_key


def user(name, actions):
    """A user who may do `actions`, and the first key of that user."""
    iam.create_user("us-east-1", name, path="/" if name == "admin" else "/apps/", tags=[])
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(name, "keys", json.dumps(policy))
    key = iam.create_access_key(name)
    known_from_the_start.add(key.access_key_id)
    return key


keys = {
    "admin": user("admin", ["iam:*"]),
    # Administers its own keys.
    "orders": user("orders", ["iam:*AccessKey*"]),
    # May do nothing but say who it is.
    "web": user("web", ["sts:GetCallerIdentity"]),
}
server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    request_handler=MotoRequestHandler,
)
os.environ["MOTO_PORT"] = str(server.port)
print(f"http://127.0.0.1:{server.port}")
for name, key in keys.items():
    print(name, key.access_key_id, key.secret_access_key)
print("ready", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
