"""XEP-0163 and what stands on it: a tune, an avatar and bookmarks, with two clients that know nothing of the server."""

import asyncio
import hashlib

from slixmpp.plugins.xep_0048 import Bookmarks
from stage import play, refused

PLUGINS = ("xep_0118", "xep_0084", "xep_0054", "xep_0048", "xep_0049", "xep_0223")
IMAGE = b"\x89PNG\r\n\x1a\n: a rose"
ROOM = "theplay@conference.montague.example"
NATIVE = "urn:xmpp:bookmarks:1"


async def befriend(one, other):
    for asking, asked in ((one, other), (other, one)):
        asking.send_presence(pto=asked.boundjid.bare, ptype="subscribe")
        await asking.barrier()
        asked.send_presence(pto=asking.boundjid.bare, ptype="subscribed")
        await asked.barrier()


async def enter(stage, name, resource):
    client = await stage.enter(name, resource, PLUGINS, available=False)
    for event in ("user_tune_publish", "avatar_metadata_publish"):
        client.keep(event)
    await client["xep_0115"].update_caps(broadcast=False)
    client.send_presence()
    await client.barrier()
    return client


def tune(message):
    return message["pubsub_event"]["items"]["item"]["tune"]["title"]


async def eventually(ask, expected):
    """What the server derives is there soon after."""
    for _ in range(100):
        found = await ask()
        if found == expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{found} instead of {expected}")


async def scene(stage):
    juliet = await enter(stage, "juliet", "balcony")
    romeo = await enter(stage, "romeo", "orchard")
    await befriend(juliet, romeo)

    await juliet["xep_0118"].publish_tune(title="Heart's Ease")
    for client in (juliet, romeo):
        heard = await client.next("user_tune_publish", lambda each: each["from"] == juliet.boundjid.bare)
        assert tune(heard) == "Heart's Ease", heard
    late = await enter(stage, "romeo", "street")
    assert tune(await late.next("user_tune_publish")) == "Heart's Ease"

    name = hashlib.sha1(IMAGE).hexdigest()
    await juliet["xep_0084"].publish_avatar(IMAGE)
    await juliet["xep_0084"].publish_avatar_metadata(
        {"id": name, "type": "image/png", "bytes": len(IMAGE)}
    )
    heard = await romeo.next("avatar_metadata_publish", lambda each: each["from"] == juliet.boundjid.bare)
    assert heard["pubsub_event"]["items"]["item"]["id"] == name, heard
    found = await romeo["xep_0084"].retrieve_avatar(juliet.boundjid.bare, name)
    assert found["pubsub"]["items"]["item"]["avatar_data"]["value"] == IMAGE, found
    card = await romeo["xep_0054"].get_vcard(juliet.boundjid.bare)
    assert card["vcard_temp"]["PHOTO"]["BINVAL"] == IMAGE, card

    bookmarks = Bookmarks()
    bookmarks.add_conference(ROOM, "juliet", name="The Play", autojoin=True)
    await juliet["xep_0048"].set_bookmarks(bookmarks, method="xep_0049")

    async def rooms():
        stored = await juliet["xep_0048"].get_bookmarks(method="xep_0223")
        return [str(each["jid"]) for each in stored["pubsub"]["items"]["item"]["bookmarks"]["conferences"]]

    native = await juliet["xep_0060"].get_items(juliet.boundjid.bare, NATIVE)
    assert [each["id"] for each in native["pubsub"]["items"]] == [ROOM], native
    await eventually(rooms, [ROOM])
    await refused(romeo["xep_0060"].get_items(juliet.boundjid.bare, NATIVE), "not-allowed")
    for client in (juliet, romeo, late):
        await client.close()


play(scene)
