"""XEP-0045: juliet makes a room, romeo comes in, they talk, the room remembers, she makes rules, he goes."""

from stage import play, refused


async def scene(stage):
    room = f"{stage.prefix}-balcony@conference.{stage.domain}"
    juliet = await stage.enter("juliet", "balcony", ["xep_0045", "xep_0004", "xep_0313"])
    romeo = await stage.enter("romeo", "orchard", ["xep_0045"])
    for client in (juliet, romeo):
        client.keep("groupchat_message")
        client.keep("groupchat_subject")
        for event in ("got_online", "got_offline", "presence"):
            client.keep(f"muc::{room}::{event}")
    rooms = juliet["xep_0045"]

    made, _, _, _ = await rooms.join_muc_wait(room, "juliet", timeout=20)
    assert 201 in made["muc"]["status_codes"], made
    form = await rooms.get_room_config(room)
    assert form.get_fields()["muc#roomconfig_whois"]["value"] == "moderators"
    form.reply()
    form["type"] = "submit"
    form["values"] = {"muc#roomconfig_roomname": "The balcony", "muc#roomconfig_persistentroom": True}
    await rooms.set_room_config(room, form)
    info = await juliet["xep_0030"].get_info(room)
    assert "muc_persistent" in info["disco_info"]["features"]

    juliet.send_message(mto=room, mbody="O Romeo, Romeo!", mtype="groupchat")
    await juliet.next("groupchat_message")
    _, _, others, history = await romeo["xep_0045"].join_muc_wait(room, "romeo", timeout=20)
    assert others and history[0]["body"] == "O Romeo, Romeo!", (others, history)
    await juliet.next(f"muc::{room}::got_online", lambda each: each["muc"]["nick"] == "romeo")
    # XEP-0410: it is in, and knows by this.
    await romeo["xep_0199"].send_ping(f"{room}/romeo", timeout=20)

    romeo.send_message(mto=room, mbody="Shall I hear more?", mtype="groupchat")
    for client in (juliet, romeo):
        line = await client.next("groupchat_message", lambda each: each["body"] == "Shall I hear more?")
        assert line["from"] == f"{room}/romeo"
    juliet.send_message(mto=f"{room}/romeo", mbody="between us", mtype="chat")
    assert (await romeo.next("message", lambda each: each["body"] == "between us"))["from"].resource == "juliet"

    # XEP-0313: the room has it all, from outside as well; only juliet, who moderates, sees whose it was.
    nurse = await stage.enter("nurse", "kitchen", ["xep_0313"])
    for client, sees in ((juliet, True), (nurse, False)):
        page = await client["xep_0313"].retrieve(jid=room, timeout=20)
        found = [each["mam_result"]["forwarded"]["stanza"] for each in page["mam"]["results"]]
        assert [each["body"] for each in found] == ["O Romeo, Romeo!", "Shall I hear more?"], found
        assert [each["from"].resource for each in found] == ["juliet", "romeo"], found
        assert (f"{stage.jid('romeo')}/orchard" in str(found[1])) == sees, found[1]

    await refused(romeo["xep_0045"].get_room_config(room), "forbidden")
    await rooms.set_affiliation(room, affiliation="member", jid=stage.jid("romeo"))
    changed = await romeo.next(f"muc::{room}::presence", lambda each: each["muc"]["affiliation"] == "member")
    assert changed["muc"]["nick"] == "romeo"
    members = await rooms.get_affiliation_list(room, "member")
    assert stage.jid("romeo") in [str(each) for each in members], members
    await rooms.set_role(room, "romeo", "none", reason="The nurse calls")
    await romeo.next(f"muc::{room}::got_offline", lambda each: 307 in each["muc"]["status_codes"])

    await rooms.destroy(room, reason="Good night")
    await refused(juliet["xep_0030"].get_info(room), "item-not-found")
    for client in (juliet, romeo, nurse):
        await client.close()


play(scene)
