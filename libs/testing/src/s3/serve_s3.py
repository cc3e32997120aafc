"""OpenStack Swift with its S3 API, whole in one process: proxy, account, container and object server. For tests.

    serve_s3.py <directory> <host> <access key> <secret key>

Prints `ready <port>` when it serves. Objects are kept in memory, everything else below the directory; the storage servers listen on
loopback only.
Signatures, checksums, conditions, ranges and multi-part uploads are Swift's own (Debian: python3-swift).
"""
import os
import sys
import time

PROXY = """
[DEFAULT]
swift_dir = {directory}
log_level = WARNING
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth bulk copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = serve_s3:with_cache
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
max_upload_part_num = 10000
max_bucket_listing = 50
[filter:tempauth]
use = egg:swift#tempauth
{user} = {secret} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""

STORAGE = """
[DEFAULT]
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
disable_fallocate = true
log_level = WARNING
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{kind}
"""

SWIFT = '[swift-hash]\nswift_hash_path_suffix = weft\n[storage-policy:0]\nname = one\ndefault = yes\n'


class Cache(object):
    """What Swift asks of memcached, kept in the process."""

    def __init__(self):
        self.kept = {}

    def get(self, key, *_args, **_kwargs):
        value, until = self.kept.get(key, (None, None))
        return value if until is None or until > time.monotonic() else None

    def set(self, key, value, *_args, **kwargs):
        seconds = kwargs.get('time') or 0
        self.kept[key] = (value, time.monotonic() + seconds if seconds else None)

    def incr(self, key, delta=1, **kwargs):
        self.set(key, (self.get(key) or 0) + delta, **kwargs)
        return self.get(key)

    def decr(self, key, delta=1, **kwargs):
        return self.incr(key, -delta, **kwargs)

    def delete(self, key, *_args, **_kwargs):
        self.kept.pop(key, None)


def with_cache(_global_conf, **_conf):
    cache = Cache()

    def wrap(app):
        def call(env, start_response):
            env['swift.cache'] = cache
            return app(env, start_response)
        return call
    return wrap


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, 'w') as file:
        file.write(text)
    return path


def find_settings(path):
    """Swift reads its hash suffix and its policies from one file, by default below /etc; here they are below the directory."""
    import swift.common.utils as utils
    from swift.common import constraints, storage_policy
    for module in list(sys.modules.values()):
        if getattr(module, '__name__', '').startswith('swift.') and hasattr(module, 'SWIFT_CONF_FILE'):
            module.SWIFT_CONF_FILE = path
    utils.validate_hash_conf()
    constraints.reload_constraints()
    storage_policy.reload_storage_policies()


def build_ring(directory, name, port):
    """One replica on one device, which is a directory."""
    from swift.common.ring import RingBuilder
    builder = RingBuilder(1, 1, 0)
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 1.0, 'ip': '127.0.0.1', 'port': port,
                     'replication_ip': '127.0.0.1', 'replication_port': port, 'device': 'disk', 'meta': ''})
    builder.rebalance()
    builder.get_ring().save(os.path.join(directory, name + '.ring.gz'))


def main(directory, host, access_key, secret_key):
    import eventlet
    from eventlet import wsgi
    eventlet.patcher.monkey_patch()
    from swift.common.wsgi import loadapp
    os.makedirs(os.path.join(directory, 'devices', 'disk'), exist_ok=True)
    find_settings(write(directory, 'swift.conf', SWIFT))
    quiet = open(os.devnull, 'w')
    # Objects in memory: on disk they would need extended attributes, which not every file system of a test has.
    for name, kind in (('account', 'account'), ('container', 'container'), ('object', 'mem_object')):
        socket = eventlet.listen(('127.0.0.1', 0))
        build_ring(directory, name, socket.getsockname()[1])
        conf = write(directory, name + '-server.conf', STORAGE.format(directory=directory, name=name, kind=kind))
        eventlet.spawn(wsgi.server, socket, loadapp(conf, global_conf={'log_name': name}), log=quiet, debug=False)
    user = 'user_' + access_key.replace(':', '_')
    conf = write(directory, 'proxy-server.conf', PROXY.format(directory=directory, user=user, secret=secret_key))
    app = loadapp(conf, global_conf={'log_name': 'proxy'})
    front = eventlet.listen((host, 0), backlog=128)
    print('ready %d' % front.getsockname()[1], flush=True)
    wsgi.server(front, app, log=quiet, debug=False)


if __name__ == '__main__':
    main(*sys.argv[1:])
