"""XEP-0357: a resource of romeo plays the push service of juliet's phone, which is away."""

from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from stage import play, refused

PUBSUB = "{http://jabber.org/protocol/pubsub}"
FORM = "{jabber:x:data}"


def enable(client, service, form_type="http://jabber.org/protocol/pubsub#publish-options"):
    iq = client.make_iq_set()
    request = ET.SubElement(iq.xml, "{urn:xmpp:push:0}enable", jid=service, node="yxs32uqsflafdk3iuqo")
    form = ET.SubElement(request, f"{FORM}x", type="submit")
    for name, value in (("FORM_TYPE", form_type), ("secret", "eruio234vzxc2kla-91")):
        field = ET.SubElement(form, f"{FORM}field", var=name)
        ET.SubElement(field, f"{FORM}value").text = value
    return iq.send(timeout=20)


def fields(parent):
    return {field.get("var"): field.findtext(f"{FORM}value") for field in parent.iter(f"{FORM}field")}


async def scene(stage):
    service = await stage.enter("romeo", "service")
    romeo = await stage.enter("romeo", "orchard")
    phone = await stage.enter("juliet", "phone")
    service.keep("published")
    path = MatchXPath("{jabber:client}iq/" + f"{PUBSUB}pubsub")
    service.register_handler(Callback("publish", path, lambda iq: service.event("published", iq)))

    info = await phone["xep_0030"].get_info(jid=phone.boundjid.bare, timeout=20)
    assert "urn:xmpp:push:0" in info["disco_info"]["features"]
    await refused(enable(phone, service.boundjid.full, "urn:x"), "bad-request")
    await enable(phone, service.boundjid.full)
    await phone.close()

    romeo.send_message(mto=stage.jid("juliet"), mbody="Good night, good night!", mtype="chat")
    publish = await service.next("published")
    assert publish["from"] == stage.jid("juliet"), publish["from"]
    node = publish.xml.find(f"{PUBSUB}pubsub/{PUBSUB}publish")
    assert node.get("node") == "yxs32uqsflafdk3iuqo"
    assert fields(node) == {"FORM_TYPE": "urn:xmpp:push:summary", "message-count": "1"}
    options = publish.xml.find(f"{PUBSUB}pubsub/{PUBSUB}publish-options")
    assert fields(options)["secret"] == "eruio234vzxc2kla-91"
    publish.reply().send()

    phone = await stage.enter("juliet", "phone")
    message = await phone.next("message")
    assert message["body"] == "Good night, good night!"
    for client in (service, romeo, phone):
        await client.close()


play(scene)
