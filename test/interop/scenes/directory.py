"""XEP-0055 and XEP-0215: what the configuration file turns on for one host is there on it, and on no other."""

from slixmpp.xmlstream import ET
from stage import play, refused, within

SEARCH = "{jabber:iq:search}"
REGISTER = "{jabber:iq:register}"
SERVICES = "{urn:xmpp:extdisco:2}"


async def ask(client, to, kind, name, **fields):
    ns, _, tag = name.rpartition("}")
    iq = client.make_iq(ito=to, itype=kind)
    request = ET.SubElement(iq.xml, name)
    for field, value in fields.items():
        ET.SubElement(request, f"{ns}}}{field}").text = value
    return (await iq.send(timeout=within)).xml.find(name)


async def offers(client, domain):
    info = await client["xep_0030"].get_info(jid=domain, timeout=within)
    items = await client["xep_0030"].get_items(jid=domain, timeout=within)
    return (
        "urn:xmpp:extdisco:2" in info["disco_info"]["features"],
        f"search.{domain}" in {jid for jid, _, _ in items["disco_items"]["items"]},
    )


async def scene(stage):
    juliet = await stage.enter("juliet", "balcony")
    romeo = await stage.enter("romeo", "orchard")
    directory = f"search.{stage.domain}"

    assert await offers(romeo, stage.domain) == (True, True)
    assert await offers(romeo, "capulet.example") == (False, False)

    await ask(juliet, directory, "set", f"{REGISTER}query", nick="Rosaline’s cousin")
    found = await ask(romeo, directory, "set", f"{SEARCH}query", nick="ROSALINE")
    assert [item.get("jid") for item in found.findall(f"{SEARCH}item")] == [stage.jid("juliet")]

    told = await ask(romeo, stage.domain, "get", f"{SERVICES}services")
    stun, turn = told.findall(f"{SERVICES}service")
    assert (stun.get("type"), stun.get("host")) == ("stun", "stun.example"), stun.attrib
    assert turn.get("type") == "turn" and turn.get("password") and turn.get("expires"), turn.attrib
    await refused(ask(romeo, "capulet.example", "get", f"{SERVICES}services"), "forbidden")
    for client in (juliet, romeo):
        await client.close()


play(scene)
