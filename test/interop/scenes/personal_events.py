"""XEP-0163 and what stands on it: a tune, an avatar and bookmarks, with two clients that know nothing of the server."""

import asyncio
import hashlib

from slixmpp.plugins.xep_0048 import Bookmarks
from stage import befriend, enter_with_caps, play, refused

PLUGINS = ("xep_0118", "xep_0084", "xep_0054", "xep_0048", "xep_0049", "xep_0223", "xep_0107")
IMAGE = b"\x89PNG\r\n\x1a\n: a rose"
ROOM = "theplay@conference.montague.example"
NATIVE = "urn:xmpp:bookmarks:1"
MOOD = "http://jabber.org/protocol/mood"
TUNE = "http://jabber.org/protocol/tune"


async def enter(stage, name, resource):
    def prepare(client):
        for event in ("user_tune_publish", "avatar_metadata_publish"):
            client.keep(event)

    return await enter_with_caps(stage, name, resource, PLUGINS, prepare)


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

    # XEP-0163 §3, XEP-0060 §7.1.5: open to strangers when it is published so first, and as it was asked for or not at all.
    nurse = await enter(stage, "nurse", "kitchen")
    for access, expected in (("open", None), ("whitelist", "conflict")):
        options = juliet["xep_0004"].make_form(ftype="submit")
        options.add_field(
            var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options"
        )
        options.add_field(var="pubsub#access_model", value=access)
        publishing = juliet["xep_0107"].publish_mood("happy", options=options)
        await (refused(publishing, expected) if expected else publishing)
    found = await nurse["xep_0060"].get_items(juliet.boundjid.bare, MOOD)
    assert found["pubsub"]["items"]["item"]["payload"].find(f"{{{MOOD}}}happy") is not None, found
    await refused(nurse["xep_0060"].get_items(juliet.boundjid.bare, TUNE), "not-authorized")
    for client in (juliet, romeo, late, nurse):
        await client.close()


play(scene)
