"""XEP-0045: who may come in, speak and rule in juliet's room, and who may not any more."""

from slixmpp.exceptions import PresenceError

from stage import play, refused, within


async def kept_out(client, room, nick, condition):
    """A client does not get into a room, for this reason."""
    try:
        await client["xep_0045"].join_muc_wait(room, nick, timeout=within)
    except PresenceError as error:
        assert error.condition == condition, f"{error.condition} instead of {condition}"
    else:
        raise AssertionError(f"{nick} came in")


async def configure(client, room, **values):
    """Changes fields of the configuration as slixmpp does, in the form that the room offers."""
    form = await client["xep_0045"].get_room_config(room)
    form.reply()
    form["type"] = "submit"
    form["values"] = {f"muc#roomconfig_{name}": value for name, value in values.items()}
    await client["xep_0045"].set_room_config(room, form)


async def grant_voice(client, room, nick):
    """Answers the next request for voice as its form asks."""
    request = await client.next("message_xform")
    fields = request["form"].get_fields()
    assert fields["muc#roomnick"]["value"] == nick, request
    answer = client.make_message(room)
    answer["form"]["type"] = "submit"
    for name, field in fields.items():
        value = "1" if name == "muc#request_allow" else field["value"]
        answer["form"].add_field(var=name, ftype=field["type"], value=value)
    answer.send()


async def scene(stage):
    room = f"{stage.prefix}-chamber@conference.{stage.domain}"
    seen, gone = f"muc::{room}::presence", f"muc::{room}::got_offline"
    people = [
        await stage.enter(name, "home", ["xep_0045", "xep_0249", "xep_0004"])
        for name in ("juliet", "romeo", "nurse")
    ]
    for client in people:
        for event in ("invite", "message", "message_error", "subject"):
            client.keep(f"groupchat_{event}")
        client.keep("message_xform")
        client.keep(seen)
        client.keep(gone)
    juliet, romeo, nurse = people
    hers, theirs = juliet["xep_0045"], nurse["xep_0045"]
    await hers.join_muc_wait(room, "juliet", timeout=within)
    await configure(juliet, room, roomname="The chamber")

    # §7.8.2: an invitation. COMPAT(slixmpp 1.8): it cannot take the refusal of one.
    hers.invite(room, stage.jid("nurse"), "Come hither, nurse")
    invitation = await nurse.next("groupchat_invite")
    assert invitation["muc"]["invite"]["reason"] == "Come hither, nurse", invitation
    assert invitation["groupchat_invite"]["jid"] == room, invitation

    # §7.2.5
    await configure(juliet, room, passwordprotectedroom=True, roomsecret="tybalt")
    await kept_out(nurse, room, "nurse", "not-authorized")
    for client, nick in ((nurse, "nurse"), (romeo, "romeo")):
        await client["xep_0045"].join_muc_wait(room, nick, password="tybalt", timeout=within)
    await configure(juliet, room, passwordprotectedroom=False, moderatedroom=True)

    # §8.4, §7.13, §8.6: she loses her voice, asks for it, and has it again.
    await hers.set_role(room, "nurse", "visitor", reason="Hush")
    await nurse.next(seen, lambda each: each["muc"]["nick"] == "nurse" and each["muc"]["role"] == "visitor")
    nurse.send_message(mto=room, mbody="My fan, Peter", mtype="groupchat")
    assert (await nurse.next("groupchat_message_error"))["error"]["condition"] == "forbidden"
    theirs.request_voice(room, "participant")
    await grant_voice(juliet, room, "nurse")
    await nurse.next(seen, lambda each: each["muc"]["nick"] == "nurse" and each["muc"]["role"] == "participant")
    nurse.send_message(mto=room, mbody="Anon, anon!", mtype="groupchat")
    await romeo.next("groupchat_message", lambda each: each["body"] == "Anon, anon!")

    # §8.2, §9.1: out, and out for good.
    await hers.set_role(room, "nurse", "none")
    await nurse.next(gone, lambda each: 307 in each["muc"]["status_codes"])
    await theirs.join_muc_wait(room, "nurse", timeout=within)
    await hers.set_affiliation(room, "outcast", jid=stage.jid("nurse"), reason="Treason")
    await nurse.next(gone, lambda each: 301 in each["muc"]["status_codes"])
    await kept_out(nurse, room, "nurse", "forbidden")
    assert [str(each) for each in await hers.get_affiliation_list(room, "outcast")] == [stage.jid("nurse")]
    await hers.set_affiliation(room, "none", jid=stage.jid("nurse"))

    # §10.2.1, §7.2.6, §9.3: only members from now on.
    await configure(juliet, room, membersonly=True)
    await romeo.next(gone, lambda each: 322 in each["muc"]["status_codes"])
    await kept_out(nurse, room, "nurse", "registration-required")
    for client, name in ((nurse, "nurse"), (romeo, "romeo")):
        await hers.set_affiliation(room, "member", jid=stage.jid(name))
        await client["xep_0045"].join_muc_wait(room, name, timeout=within)

    # §10.6, §9.8, §8.1: whoever is made an admin moderates, and rules no owner.
    await hers.set_affiliation(room, "admin", jid=stage.jid("nurse"))
    await nurse.next(seen, lambda each: each["muc"]["nick"] == "nurse" and each["muc"]["role"] == "moderator")
    assert sorted(await theirs.get_roles_list(room, "moderator")) == ["juliet", "nurse"]
    theirs.set_subject(room, "Madam!")
    await romeo.next("groupchat_subject", lambda each: each["subject"] == "Madam!")
    await refused(theirs.set_affiliation(room, "outcast", jid=stage.jid("juliet")), "not-allowed")
    await refused(theirs.destroy(room), "forbidden")

    # §7.6, §7.14
    nurse.send_presence(pto=f"{room}/angelica")
    await romeo.next(gone, lambda each: 303 in each["muc"]["status_codes"])
    theirs.leave_muc(room, "angelica", "Good night")
    left = await romeo.next(gone, lambda each: each["muc"]["nick"] == "angelica")
    assert left["status"] == "Good night", left

    # §10.9
    await hers.destroy(room, reason="The lark", altroom=f"mantua@conference.{stage.domain}")
    end = await romeo.next(gone, lambda each: each["muc"]["nick"] == "romeo")
    assert end["muc"]["destroy"]["reason"] == "The lark", end
    for client in people:
        await client.close()


play(scene)
