"""XEP-0133 over XEP-0050: the nurse administers the host by forms; juliet may not."""

import asyncio

from slixmpp.plugins.xep_0004 import Form
from stage import play, within

ADMIN = "http://jabber.org/protocol/admin"


class Refused(Exception):
    pass


class Command:
    """One run of an ad-hoc command, as slixmpp does it: with handlers."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.answers = asyncio.Queue()

    def handler(self, answer, session):
        self.answers.put_nowait((answer, session))

    async def answer(self):
        answer, session = await asyncio.wait_for(self.answers.get(), within)
        if answer["type"] == "error":
            raise Refused(answer["error"]["condition"])
        return answer["command"], session

    async def begin(self):
        session = {"next": self.handler, "error": self.handler}
        getattr(self.client["xep_0133"], self.name)(session=session)
        return await self.answer()

    async def run(self, **fields):
        command, session = await self.begin()
        assert command["status"] == "executing", command
        form = Form()
        form["type"] = "submit"
        form.add_field(var="FORM_TYPE", ftype="hidden", value=ADMIN)
        for name, value in fields.items():
            form.add_field(var=name.replace("__", "-"), value=value)
        session["payload"] = [form]
        self.client["xep_0050"].complete_command(session)
        command, _ = await self.answer()
        assert command["status"] == "completed", command
        return command


async def refusal(running):
    try:
        await running
    except Refused as refused:
        return str(refused)
    raise AssertionError("it was not refused")


def values(command, name):
    value = command["form"]["values"].get(name)
    return value if isinstance(value, list) else [value]


async def scene(stage):
    nurse = await stage.enter("nurse", "hall", ["xep_0133"])
    juliet = await stage.enter("juliet", "balcony", ["xep_0133"])
    romeo = await stage.enter("romeo", "orchard")
    servant = stage.jid("servant")

    listed = await nurse["xep_0133"].get_commands()
    nodes = {node for _, node, _ in listed["disco_items"]["items"]}
    assert f"{ADMIN}#add-user" in nodes and f"{ADMIN}#set-motd" in nodes, nodes
    listed = await juliet["xep_0133"].get_commands()
    assert not any(node.startswith(ADMIN) for _, node, _ in listed["disco_items"]["items"])
    assert await refusal(Command(juliet, "add_user").begin()) == "forbidden"

    command, _ = await Command(nurse, "add_user").begin()
    assert set(command["form"].get_fields()) == {"FORM_TYPE", "accountjid", "password", "password-verify"}
    given = {"accountjid": servant, "password": "ladder", "password__verify": "ladder"}
    await Command(nurse, "add_user").run(**given)
    assert await refusal(Command(nurse, "add_user").run(**given)) == "conflict"
    found = await Command(nurse, "get_registered_users_list").run(max_items="none")
    assert servant in values(found, "registereduserjids")

    romeo.keep("disconnected")
    await Command(nurse, "disable_user").run(accountjids=[stage.jid("romeo")])
    await romeo.next("disconnected")
    found = await Command(nurse, "get_disabled_users_list").run(max_items="25")
    assert values(found, "disableduserjids") == [stage.jid("romeo")]
    await Command(nurse, "reenable_user").run(accountjids=[stage.jid("romeo")])
    romeo = await stage.enter("romeo", "orchard")

    await Command(nurse, "announce").run(announcement=["Peter,", "my fan"])
    message = await romeo.next("message", lambda each: each["body"])
    assert (message["from"], message["type"]) == (stage.domain, "headline"), message
    assert message["body"] == "Peter,\nmy fan", message

    count, _ = await Command(nurse, "get_registered_users_num").begin()
    assert count["status"] == "completed" and int(values(count, "registeredusersnum")[0]) >= 4
    await Command(nurse, "delete_user").run(accountjids=[servant])
    assert await refusal(Command(nurse, "user_stats").run(accountjid=servant)) == "item-not-found"
    for client in (nurse, juliet, romeo):
        await client.close()


play(scene)
