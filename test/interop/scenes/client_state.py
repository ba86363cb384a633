"""XEP-0352: a phone in a pocket is not woken by presence; with a message it gets the newest of it."""

from stage import play


async def scene(stage):
    phone = await stage.enter("juliet", "phone", ["xep_0352"])
    romeo = await stage.enter("romeo", "orchard")
    assert phone["xep_0352"].enabled
    phone["xep_0352"].send_inactive()
    await phone.barrier()

    for status in ("in the garden", "under the balcony"):
        romeo.send_presence(pto=phone.boundjid.full, pstatus=status)
    romeo.send_message(mto=phone.boundjid.full, mbody="But soft", mtype="chat")
    assert (await phone.next("message"))["body"] == "But soft"
    presence = await phone.next("presence")
    assert presence["status"] == "under the balcony", presence

    romeo.send_presence(pto=phone.boundjid.full, pstatus="gone")
    await romeo.barrier()
    phone["xep_0352"].send_active()
    await phone.next("presence", lambda each: each["status"] == "gone")
    for client in (phone, romeo):
        await client.close()


play(scene)
