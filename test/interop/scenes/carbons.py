"""XEP-0280: two resources of juliet see the whole conversation, each once."""

from stage import play


async def scene(stage):
    phone = await stage.enter("juliet", "phone", ["xep_0280"])
    desk = await stage.enter("juliet", "desk", ["xep_0280"])
    romeo = await stage.enter("romeo", "orchard")
    for client in (phone, desk):
        client.keep("carbon_sent")
        client.keep("carbon_received")
        await client["xep_0280"].enable()

    phone.send_message(mto=stage.jid("romeo"), mbody="Wherefore art thou Romeo?", mtype="chat")
    sent = await desk.next("carbon_sent")
    assert sent["carbon_sent"]["body"] == "Wherefore art thou Romeo?"
    await romeo.next("message")

    romeo.send_message(mto=phone.boundjid.full, mbody="Call me but love", mtype="chat")
    received = await desk.next("carbon_received")
    assert received["carbon_received"]["body"] == "Call me but love"
    message = await phone.next("message", lambda each: each["body"])
    assert message["body"] == "Call me but love"

    private = phone.make_message(mto=stage.jid("romeo"), mbody="between us", mtype="chat")
    private.enable("carbon_private")
    private.send()
    await romeo.next("message", lambda each: each["body"] == "between us")
    await desk.barrier()
    desk.silent("carbon_sent")
    for client in (phone, desk, romeo):
        await client.close()


play(scene)
