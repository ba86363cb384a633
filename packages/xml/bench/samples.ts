/** Stanzas as clients and servers send them, by kind. */
export const samples: Readonly<Record<string, string>> = {
  chat:
    "<message to='juliet@capulet.example/balcony' from='romeo@montague.example/orchard' id='8b7c2f0e-5d1a-4b57-9f0e-3f6a0f3a6c11' type='chat' xml:lang='en'>" +
    '<body>Art thou not Romeo, and a Montague? Neither, fair saint, if either thee dislike.</body>' +
    "<active xmlns='http://jabber.org/protocol/chatstates'/>" +
    "<request xmlns='urn:xmpp:receipts'/>" +
    "<origin-id xmlns='urn:xmpp:sid:0' id='8b7c2f0e-5d1a-4b57-9f0e-3f6a0f3a6c11'/></message>",
  presence:
    "<presence from='romeo@montague.example/orchard' to='juliet@capulet.example'>" +
    '<show>away</show><status>I have night’s cloak</status><priority>5</priority>' +
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>",
  iq: "<iq type='get' id='purple1a2b3c' to='montague.example' from='romeo@montague.example/orchard'><ping xmlns='urn:xmpp:ping'/></iq>",
  dirty:
    "<message  to='juliet@capulet.example/balcony' id='abc' type='chat'>" +
    '<body>Art thou not Romeo,&#10;and a <![CDATA[<Montague>]]>?</body></message>',
  roster: `<iq type='result' id='r1'><query xmlns='jabber:iq:roster'>${Array.from(
    { length: 50 },
    (_, index) =>
      `<item jid='friend${index}@capulet.example' name='Friend ${index}' subscription='both'><group>Friends</group></item>`,
  ).join('')}</query></iq>`,
}
