"""XEP-0277 and XEP-0470 by means of XEP-0060 alone: a blog, what is said to a post, and what is attached to it."""

from urllib.parse import quote

from slixmpp.xmlstream import ET
from stage import befriend, enter_with_caps, play, refused

PLUGINS = ("xep_0004", "xep_0059", "xep_0060", "xep_0163")
BLOG = "urn:xmpp:microblog:0"
COMMENTS = f"{BLOG}:comments/window"
ATOM = "{http://www.w3.org/2005/Atom}"
ATTACHMENTS = "urn:xmpp:pubsub-attachments:1"
SUMMARIES = f"urn:xmpp:pubsub-attachments:summary:1/{BLOG}"


async def enter(stage, name):
    def prepare(client):
        client["xep_0163"].add_interest(BLOG)
        for node, event in ((BLOG, "blog"), (COMMENTS, "comment")):
            client["xep_0060"].map_node_event(node, event)
            for what in ("publish", "retract"):
                client.keep(f"{event}_{what}")

    return await enter_with_caps(stage, name, "home", PLUGINS, prepare)


def entry(title, author=None, comments=None):
    payload = ET.Element(f"{ATOM}entry")
    ET.SubElement(payload, f"{ATOM}title").text = title
    ET.SubElement(payload, f"{ATOM}id").text = f"tag:montague.example,2026:{title}"
    for name in ("published", "updated"):
        ET.SubElement(payload, f"{ATOM}{name}").text = "2026-05-08T18:30:02Z"
    if author:
        ET.SubElement(ET.SubElement(payload, f"{ATOM}author"), f"{ATOM}uri").text = f"xmpp:{author}"
    if comments:
        ET.SubElement(payload, f"{ATOM}link", rel="replies", title="comments", href=comments)
    return payload


def attachments(*reactions):
    payload = ET.Element(f"{{{ATTACHMENTS}}}attachments")
    ET.SubElement(payload, f"{{{ATTACHMENTS}}}noticed", timestamp="2026-05-08T18:30:02Z")
    of_mine = ET.SubElement(payload, f"{{{ATTACHMENTS}}}reactions")
    for each in reactions:
        ET.SubElement(of_mine, f"{{{ATTACHMENTS}}}reaction").text = each
    return payload


def titles(answer):
    return [each["payload"].findtext(f"{ATOM}title") for each in answer["pubsub"]["items"]]


def told(message):
    """Id, publisher and title of what a notification tells of."""
    item = message["pubsub_event"]["items"]["item"]
    return item["id"], item["publisher"], item["payload"].findtext(f"{ATOM}title")


async def counted(client, blogger):
    """How many noticed the post, and its reactions."""
    answer = await client["xep_0060"].get_item(blogger, SUMMARIES, "window")
    summary = answer["pubsub"]["items"]["item"]["payload"]
    found = {each.tag.split("}")[1]: each for each in summary}
    reactions = {each.text: each.get("count") for each in found.get("reactions", ())}
    return found["noticed"].get("count"), reactions


async def scene(stage):
    people = [await enter(stage, name) for name in ("juliet", "romeo", "nurse")]
    juliet, romeo, nurse = people
    hers, his, strangers = (client["xep_0060"] for client in people)
    blogger = juliet.boundjid.bare
    await befriend(juliet, romeo)

    # XEP-0277 §3.1, §3.2: to contacts who read blogs it comes whole.
    uri = f"xmpp:{blogger}?;node={quote(COMMENTS, safe='')}"
    await hers.publish(blogger, BLOG, id="window", payload=entry("Soft", blogger, uri))
    for client in (juliet, romeo):
        heard = await client.next("blog_publish")
        assert heard["from"] == blogger and told(heard) == ("window", blogger, "Soft"), heard
    await hers.publish(blogger, BLOG, id="dagger", payload=entry("O happy dagger"))
    await romeo.next("blog_publish")
    await hers.retract(blogger, BLOG, "dagger", notify="1")
    heard = await romeo.next("blog_retract")
    assert heard["pubsub_event"]["items"]["retract"]["id"] == "dagger", heard
    assert titles(await his.get_items(blogger, BLOG)) == ["Soft"]
    await refused(strangers.get_items(blogger, BLOG), "not-authorized")
    await refused(his.publish(blogger, BLOG, payload=entry("No")), "forbidden")
    await refused(hers.publish(blogger, BLOG, payload=ET.Element("{a}b")), "bad-request")

    # §6: what the blog says of itself.
    metadata = ET.Element(f"{ATOM}feed")
    ET.SubElement(metadata, f"{ATOM}title").text = "Juliet's window"
    await hers.publish(blogger, BLOG, id="0", payload=metadata)
    assert titles(await his.get_item(blogger, BLOG, "0")) == ["Juliet's window"]

    # §4, §5.2: everybody may say something to a post, in the own name; who follows it hears it.
    await hers.create_node(blogger, COMMENTS)
    await hers.subscribe(blogger, COMMENTS)
    own = nurse.boundjid.bare
    await strangers.publish(blogger, COMMENTS, id="1", payload=entry("Anon", own))
    assert told(await juliet.next("comment_publish")) == ("1", own, "Anon")
    await refused(strangers.publish(blogger, COMMENTS, payload=entry("I", blogger)), "bad-request")
    await his.publish(blogger, COMMENTS, id="2", payload=entry("It is my lady"))
    await juliet.next("comment_publish")
    assert titles(await strangers.get_items(blogger, COMMENTS)) == ["It is my lady", "Anon"]
    await refused(his.retract(blogger, COMMENTS, "1"), "forbidden")
    await strangers.retract(blogger, COMMENTS, "1", notify="1")
    await juliet.next("comment_retract")

    # XEP-0470 §4.1, §4.3, §4.6: for those who may read the post; each counts once.
    attached = f"{ATTACHMENTS}/xmpp:{blogger}?;node={quote(BLOG, safe='')};item=window"
    await refused(strangers.publish(blogger, attached, id=own, payload=attachments("🌹")), "not-authorized")
    await refused(his.publish(blogger, attached, id=blogger, payload=attachments("🌹")), "bad-request")
    for client, reactions in ((romeo, ("🌹", "🌙")), (juliet, ("🌹",)), (romeo, ("🌹",))):
        mine = client.boundjid.bare
        await client["xep_0060"].publish(blogger, attached, id=mine, payload=attachments(*reactions))
    assert await counted(romeo, blogger) == ("2", {"🌹": "2"}), await counted(romeo, blogger)
    await his.retract(blogger, attached, romeo.boundjid.bare)
    assert await counted(romeo, blogger) == ("1", {"🌹": None}), await counted(romeo, blogger)
    await hers.retract(blogger, BLOG, "window")
    await refused(his.get_items(blogger, attached), "item-not-found")
    for client in people:
        await client.close()


play(scene)
