"""Runs cases with cwltool in one process, for starting it costs more than a case: a JSON list of arguments per line on stdin, an answer per line on stdout."""

import io
import json
import sys

from cwltool.main import main

answers = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    try:
        code = main(json.loads(line), stdin=io.StringIO(), stdout=out, stderr=err)
    except BaseException as error:  # A case must not end the batch, whatever it makes cwltool do.
        code = 1
        err.write(repr(error))
    print(json.dumps({"code": code, "stdout": out.getvalue(), "stderr": err.getvalue()}), file=answers, flush=True)
