"""XEP-0313: romeo's new phone pages through what was said before it was there, and juliet's archive has the same."""

from stage import play

COUNT = 25


async def page(client, **query):
    return [
        result["mam_result"]["forwarded"]["stanza"]["body"]
        async for result in client["xep_0313"].iterate(rsm={"max": 7}, **query)
    ]


async def scene(stage):
    juliet = await stage.enter("juliet", "balcony", ["xep_0313"])
    romeo = await stage.enter("romeo", "orchard", ["xep_0313"])
    nurse = await stage.enter("nurse", "kitchen")
    said = [f"line {number}" for number in range(COUNT)]
    for line in said:
        juliet.send_message(mto=stage.jid("romeo"), mbody=line, mtype="chat")
    nurse.send_message(mto=stage.jid("romeo"), mbody="Madam!", mtype="chat")
    await romeo.next("message", lambda each: each["body"] == said[-1])
    await nurse.barrier()
    await juliet.barrier()

    phone = await stage.enter("romeo", "phone", ["xep_0313"])
    assert await page(phone, with_jid=stage.jid("juliet")) == said
    assert sorted(await page(phone)) == sorted([*said, "Madam!"])
    # Backwards slixmpp hands out the pages from the last to the first, each in the order of its messages.
    backwards = await page(phone, with_jid=stage.jid("juliet"), reverse=True)
    assert sorted(backwards) == sorted(said) and backwards[-1] != said[-1], backwards
    assert await page(juliet) == said
    for client in (juliet, romeo, nurse, phone):
        await client.close()


play(scene)
