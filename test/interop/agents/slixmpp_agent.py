"""A chat client on slixmpp that does what it is told: JSON lines in, JSON lines out.

Usage: slixmpp_agent.py HOST PORT JID PASSWORD starttls|tls AUTHORITY
"""

import asyncio
import json
import sys

import slixmpp


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Agent(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password)
        self.auto_authorize = None
        self.auto_subscribe = False
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0203"):
            self.register_plugin(plugin)
        # It binds to TLS by tls-unique only, which TLS 1.3 does not have, and then claims that the server offered
        # no binding; a server must refuse both. Without a binding it says so, and SCRAM works.
        mechanisms = self["feature_mechanisms"]
        credentials = mechanisms.sasl_callback
        mechanisms.sasl_callback = lambda required, optional: {
            key: value
            for key, value in credentials(required, optional).items()
            if key != "channel_binding"
        }
        mechanisms.use_mech = "SCRAM-SHA-512"
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("presence", self.on_presence)
        self.add_event_handler("failed_auth", lambda _: tell("failed_auth"))
        self.add_event_handler("disconnected", lambda reason: tell("disconnected"))

    async def on_start(self, _):
        await self.get_roster()
        self.send_presence()
        tell("online", jid=str(self.boundjid))

    def on_message(self, message):
        delay = message.xml.find("{urn:xmpp:delay}delay") is not None
        tell("message", sender=str(message["from"]), body=message["body"], delayed=delay)

    def on_presence(self, presence):
        tell("presence", sender=str(presence["from"]), type=presence["type"])

    async def obey(self, order):
        action = order["do"]
        if action == "say":
            self.send_message(mto=order["to"], mbody=order["body"], mtype="chat")
        elif action == "presence":
            self.send_presence(pto=order.get("to"), ptype=order.get("type"))
        elif action == "roster":
            answer = await self.get_roster()
            items = answer["roster"]["items"]
            tell("roster", items={str(jid): item["subscription"] for jid, item in items.items()})
        elif action == "ping":
            seconds = await self["xep_0199"].ping(order["to"], timeout=10)
            tell("pong", seconds=seconds)
        elif action == "version":
            answer = await self["xep_0092"].get_version(order["to"])
            tell("version", name=answer["software_version"]["name"])
        elif action == "close":
            await self.disconnect()
            tell("closed")
            return False
        return True


async def main():
    host, port, jid, password, security, authority = sys.argv[1:7]
    agent = Agent(jid, password)
    agent.ca_certs = authority
    direct = security == "tls"
    agent.connect(address=(host, int(port)), use_ssl=direct, force_starttls=not direct, disable_starttls=direct)
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while True:
        line = await lines.readline()
        if not line or not await agent.obey(json.loads(line)):
            return


asyncio.run(main())
