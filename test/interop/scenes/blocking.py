"""XEP-0191: whom juliet blocks reaches her no more, and everything is as before when she relents."""

from slixmpp.exceptions import IqError
from stage import play


async def scene(stage):
    juliet = await stage.enter("juliet", "balcony", ["xep_0191"])
    other = await stage.enter("juliet", "chamber", ["xep_0191"])
    romeo = await stage.enter("romeo", "orchard")
    other.keep("blocked")
    romeos = stage.jid("romeo")
    await other["xep_0191"].get_blocked()

    await juliet["xep_0191"].block([romeos])
    assert {str(jid) for jid in (await juliet["xep_0191"].get_blocked())["blocklist"]["items"]} == {romeos}
    await other.next("blocked")

    romeo.send_message(mto=stage.jid("juliet"), mbody="Let me come in", mtype="chat")
    error = await romeo.next("message_error")
    assert error["error"]["condition"] == "service-unavailable", error
    try:
        await romeo["xep_0199"].send_ping(juliet.boundjid.full, timeout=10)
        raise AssertionError("juliet's resource may not be pinged")
    except IqError as refusal:
        assert refusal.condition == "service-unavailable", refusal.condition
    juliet.send_message(mto=romeos, mbody="Go", mtype="chat")
    error = await juliet.next("message_error")
    assert error["error"]["condition"] == "not-acceptable", error
    assert error.xml.find(".//{urn:xmpp:blocking:errors}blocked") is not None

    await juliet["xep_0191"].unblock([romeos])
    romeo.send_message(mto=stage.jid("juliet"), mbody="At last", mtype="chat")
    message = await juliet.next("message", lambda each: each["body"])
    assert message["body"] == "At last"
    for client in (juliet, other, romeo):
        await client.close()


play(scene)
