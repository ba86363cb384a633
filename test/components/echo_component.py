"""A component that answers what is said to it, made with slixmpp: argv is domain, secret, host, port, name."""

import asyncio
import json
import sys

from slixmpp.componentxmpp import ComponentXMPP

domain, secret, host, port, name = sys.argv[1:]


def told(**event):
    print(json.dumps(event), flush=True)


class Echo(ComponentXMPP):
    def __init__(self):
        super().__init__(domain, secret, host, int(port))
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", lambda _: told(event="started"))
        self.add_event_handler("disconnected", lambda _: told(event="ended"))
        self.add_event_handler("message", self.answer)

    def answer(self, message):
        if message["type"] != "error" and message["body"]:
            message.reply(f"{name} heard {message['body']}").send()


echo = Echo()
echo.connect()
try:
    echo.process(forever=True)
except (asyncio.CancelledError, KeyboardInterrupt):
    pass
