"""What the scenes share: clients on slixmpp that log in through different doors, and what they wait for.

Usage of a scene: SCENE.py HOST:PORT,HOST:PORT DOMAIN PASSWORD AUTHORITY PREFIX
Accounts are PREFIX-juliet, PREFIX-romeo and PREFIX-nurse. A scene ends with 0, or tells what did not happen.
"""

import asyncio
import itertools
import sys

import slixmpp

within = 20


class Client(slixmpp.ClientXMPP):
    """A resource; everything that it hears is kept until somebody asks for it."""

    def __init__(self, jid, password, plugins):
        super().__init__(jid, password)
        self.auto_authorize = None
        self.auto_subscribe = False
        for plugin in ("xep_0030", "xep_0199", "xep_0203", *plugins):
            self.register_plugin(plugin)
        mechanisms = self["feature_mechanisms"]
        credentials = mechanisms.sasl_callback
        # It binds to TLS by tls-unique only, which TLS 1.3 does not have.
        mechanisms.sasl_callback = lambda required, optional: {
            key: value
            for key, value in credentials(required, optional).items()
            if key != "channel_binding"
        }
        mechanisms.use_mech = "SCRAM-SHA-256"
        self.heard = {}
        self.started = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.started.set())
        for event in ("message", "message_error", "presence", "failed_auth"):
            self.keep(event)

    def keep(self, event):
        """Collects what comes of an event."""
        queue = self.heard.setdefault(event, asyncio.Queue())
        self.add_event_handler(event, queue.put_nowait)

    async def next(self, event, fits=lambda _: True):
        """The next of an event that fits; others are thrown away."""
        queue = self.heard[event]
        while True:
            try:
                found = await asyncio.wait_for(queue.get(), within)
            except asyncio.TimeoutError:
                raise AssertionError(f"{self.boundjid}: no {event} within {within} s") from None
            if fits(found):
                return found

    def silent(self, event, fits=lambda _: True):
        """Nothing of an event is there that fits; to be asked after something later has come."""
        queue = self.heard[event]
        left = [queue.get_nowait() for _ in range(queue.qsize())]
        found = [each for each in left if fits(each)]
        assert not found, f"{self.boundjid}: unexpected {found}"

    async def barrier(self):
        """What was sent before was handled: a round trip to oneself's server."""
        await self["xep_0199"].send_ping(self.boundjid.domain, timeout=within)

    async def close(self):
        await self.disconnect()


class Stage:
    def __init__(self, doors, domain, password, authority, prefix):
        self.doors = itertools.cycle(doors.split(","))
        self.domain, self.password, self.authority, self.prefix = domain, password, authority, prefix

    def jid(self, name):
        return f"{self.prefix}-{name}@{self.domain}"

    async def enter(self, name, resource, plugins=(), available=True):
        """Logs in through the next door."""
        client = Client(f"{self.jid(name)}/{resource}", self.password, plugins)
        client.ca_certs = self.authority
        host, port = next(self.doors).rsplit(":", 1)
        client.connect(address=(host, int(port)), use_ssl=False, force_starttls=True)
        await asyncio.wait_for(client.started.wait(), within)
        await client.get_roster()
        if available:
            client.send_presence()
            await client.next("presence", lambda each: each["from"] == client.boundjid)
        return client


def play(scene):
    """Runs a scene: a coroutine that takes the stage."""
    asyncio.run(scene(Stage(*sys.argv[1:6])))


async def enter_with_caps(stage, name, resource, plugins, prepare):
    """Logs in as one whose capabilities say what it wants to hear of; `prepare` says what that is."""
    client = await stage.enter(name, resource, plugins, available=False)
    prepare(client)
    await client["xep_0115"].update_caps(broadcast=False)
    client.send_presence()
    await client.barrier()
    return client


async def befriend(one, other):
    for asking, asked in ((one, other), (other, one)):
        asking.send_presence(pto=asked.boundjid.bare, ptype="subscribe")
        await asking.barrier()
        asked.send_presence(pto=asking.boundjid.bare, ptype="subscribed")
        await asked.barrier()


async def refused(request, condition):
    """A request gets an error, and that one."""
    try:
        await request
    except slixmpp.exceptions.IqError as error:
        assert error.condition == condition, f"{error.condition} instead of {condition}"
    else:
        raise AssertionError(f"no {condition}")
