"""XEP-0060 at a service beside the host: a node from its making to its end, with two clients that know nothing of it."""

from slixmpp.xmlstream import ET
from stage import play, refused

PLUGINS = ("xep_0004", "xep_0059", "xep_0060")
NODE = "princely_musings"
EVENTS = ("publish", "retract", "purge", "delete", "subscription", "config")


async def enter(stage, name, resource):
    client = await stage.enter(name, resource, PLUGINS)
    for event in EVENTS:
        client.keep(f"pubsub_{event}")
    return client


def entry(title):
    payload = ET.Element("{http://www.w3.org/2005/Atom}entry")
    ET.SubElement(payload, "{http://www.w3.org/2005/Atom}title").text = title
    return payload


def form(client, kind, **fields):
    """A form of this kind, with fields of pubsub."""
    made = client["xep_0004"].make_form(ftype="submit")
    made.add_field(var="FORM_TYPE", ftype="hidden", value=f"http://jabber.org/protocol/pubsub#{kind}")
    for name, value in fields.items():
        made.add_field(var=f"pubsub#{name}", value=value)
    return made


def ids(answer):
    return [each["id"] for each in answer["pubsub"]["items"]]


async def scene(stage):
    service = f"pubsub.{stage.domain}"
    juliet = await enter(stage, "juliet", "balcony")
    romeo = await enter(stage, "romeo", "orchard")
    hers, his = juliet["xep_0060"], romeo["xep_0060"]

    config = form(juliet, "node_config", title="Princely Musings", access_model="authorize")
    await hers.create_node(service, NODE, config=config)
    await refused(hers.create_node(service, NODE), "conflict")
    found = await romeo["xep_0030"].get_items(service)
    assert (service, NODE, "Princely Musings") in found["disco_items"]["items"], found
    found = await romeo["xep_0030"].get_info(service, NODE)
    assert ("pubsub", "leaf", None, None) in found["disco_info"]["identities"], found

    pending = await his.subscribe(service, NODE)
    assert pending["pubsub"]["subscription"]["subscription"] == "pending", pending
    await refused(his.get_items(service, NODE), "not-authorized")
    await hers.modify_subscriptions(service, NODE, subscriptions=[(romeo.boundjid.bare, "subscribed")])
    told = await romeo.next("pubsub_subscription")
    assert told["pubsub_event"]["subscription"]["subscription"] == "subscribed", told

    for number in ("1", "2", "3"):
        await hers.publish(service, NODE, id=number, payload=entry(f"Act {number}"))
        heard = await romeo.next("pubsub_publish")
        assert heard["pubsub_event"]["items"]["item"]["id"] == number, heard
    assert ids(await his.get_items(service, NODE, max_items=2)) == ["3", "2"]
    assert ids(await his.get_item(service, NODE, "1")) == ["1"]
    mine = await his.get_subscriptions(service)
    assert [each["node"] for each in mine["pubsub"]["subscriptions"]] == [NODE], mine
    await refused(his.publish(service, NODE, payload=entry("No")), "forbidden")
    await hers.modify_affiliations(service, NODE, affiliations=[(romeo.boundjid.bare, "publisher")])
    await his.publish(service, NODE, id="4", payload=entry("Act 4"))
    await romeo.next("pubsub_publish")
    owned = await his.get_affiliations(service)
    assert [each["affiliation"] for each in owned["pubsub"]["affiliations"]] == ["publisher"], owned

    options = await his.get_subscription_options(service, NODE, user_jid=romeo.boundjid.bare)
    assert "pubsub#deliver" in options["pubsub"]["options"]["options"].get_fields(), options

    # §8.2: what the owner changes is told to who follows, and holds.
    found = await hers.get_node_config(service, NODE)
    fields = found["pubsub_owner"]["configure"]["form"].get_fields()
    assert fields["pubsub#access_model"]["value"] == "authorize", found
    await hers.set_node_config(
        service, NODE, form(juliet, "node_config", access_model="open", notify_config="1")
    )
    await romeo.next("pubsub_config")
    nurse = await enter(stage, "nurse", "kitchen")
    theirs = nurse["xep_0060"]
    # §6.3.7, §6.2: a subscription that says how it is, until it is taken back.
    await theirs.subscribe(service, NODE, options=form(nurse, "subscribe_options", deliver="0"))
    subscribers = await hers.get_node_subscriptions(service, NODE)
    found = {str(each["jid"]) for each in subscribers["pubsub_owner"]["subscriptions"]}
    assert found == {romeo.boundjid.bare, nurse.boundjid.bare}, subscribers
    people = await hers.get_node_affiliations(service, NODE)
    found = {each["jid"].bare: each["affiliation"] for each in people["pubsub_owner"]["affiliations"]}
    assert found == {juliet.boundjid.bare: "owner", romeo.boundjid.bare: "publisher"}, people
    await hers.publish(service, NODE, id="5", payload=entry("Act 5"))
    await romeo.next("pubsub_publish")
    await nurse.barrier()
    nurse.silent("pubsub_publish")
    await theirs.unsubscribe(service, NODE)
    await refused(theirs.unsubscribe(service, NODE), "unexpected-request")
    found = await nurse["xep_0030"].get_items(service, NODE)
    assert {each[2] for each in found["disco_items"]["items"]} == {"1", "2", "3", "4", "5"}, found

    await hers.retract(service, NODE, "1", notify=True)
    heard = await romeo.next("pubsub_retract")
    assert heard["pubsub_event"]["items"]["retract"]["id"] == "1", heard
    await hers.purge(service, NODE)
    await romeo.next("pubsub_purge")
    assert ids(await his.get_items(service, NODE)) == []
    await hers.delete_node(service, NODE)
    await romeo.next("pubsub_delete")
    await refused(his.get_items(service, NODE), "item-not-found")
    for client in (juliet, romeo, nurse):
        await client.close()


play(scene)
