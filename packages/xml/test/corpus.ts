/** Streams as clients and servers write them, each with what parsers like to get wrong. */

export const header =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.example' version='1.0'>"

/** A stream that holds these first-level elements. */
export const stream = (...content: readonly string[]): string =>
  `${header}${content.join('')}</stream:stream>`

export const stanzas: readonly string[] = [
  "<message to='juliet@capulet.example/balcony' id='m1' type='chat' xml:lang='en'><body>Neither, fair saint.</body></message>",
  '<message to="juliet@capulet.example"><body>O, it\'s "love" &amp; &lt;light&gt;</body><active xmlns="http://jabber.org/protocol/chatstates"/></message>',
  "<message><body>Löwe, 愛, 🌹, Ж, ﷺ</body><subject xml:lang='de'>Grüße</subject></message>",
  "<message><body>line\none\ttab</body><x xmlns='jabber:x:oob'><url>http://x.example/?a=1&amp;b=2</url></x></message>",
  '<message><body>&#65;&#x42;&#x1F339;&#10;&#13;&#9;</body></message>',
  '<message><body><![CDATA[<not> & a ]] tag]]> and <![CDATA[]]></body></message>',
  "<message><body>carriage\r\nreturn\rhere</body><x xmlns='a' b='tab\tand\r\nline'/></message>",
  '<message  to = \'a@b\'\n\tid\r= "1" ><body >spaced</body\t></message >',
  "<message xmlns:p='urn:p' p:a='1'><p:x q:b='2' xmlns:q='urn:q'/><y xmlns='urn:y' p:c='3'><z/></y></message>",
  "<c:message xmlns:c='jabber:client' from='a'><c:body>prefixed</c:body><other xmlns='urn:o'/></c:message>",
  "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
  "<iq type='result' id='2'><query xmlns='jabber:iq:roster' ver='7'><item jid='a@b' name=\"O'Brien\"><group>A</group><group>B</group></item><item jid='c@d'/></query></iq>",
  "<iq type='set' id='3'><q xmlns=''><deep><er><er><er/></er></er></deep></q></iq>",
  "<iq type='set' id='4'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:avatar:data'><item id='x'><data xmlns='urn:xmpp:avatar:data'>iVBORw0KGgo=</data></item></publish></pubsub></iq>",
  '<presence/>',
  "<presence type='unavailable' ></presence>",
  "<presence><show>away</show><priority>-1</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>",
  "<message xmlns='jabber:client'><result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/><message xmlns='jabber:client' to='a@b'><body>old</body></message></forwarded></result></message>",
  "<message><body xmlns='jabber:client'>redundant</body><a xmlns='x'><b xmlns='x'/><b xmlns='y'/></a></message>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldAByMG0zMG15cjBtMzA=</auth>",
  "<r xmlns='urn:xmpp:sm:3'/>",
  "<a xmlns='urn:xmpp:sm:3' h='7' />",
  '<message><__proto__ constructor="1" __proto__="2" toString="3"/><hasOwnProperty/></message>',
  "<ﬀ:élément xmlns:ﬀ='urn:é' Ж='愛' ﬀ:ß='1'>ok</ﬀ:élément>",
]

/** Bytes with which a mutation becomes interesting. */
export const tokens: readonly string[] = [
  '<', '>', '/', '</', '/>', "'", '"', '=', ' ', '&', ';', '&amp;', '&#', '&#x', '&#0;', '&#xD800;',
  '&#x10FFFF;', '&nbsp;', '<!--', '-->', '<!', '<!DOCTYPE a>', '<![CDATA[', ']]>', ']]', '<?', '?>',
  '<?xml version="1.0"?>', ':', 'xmlns', "xmlns=''", "xmlns='jabber:client'", "xmlns:p='urn:p'",
  'xmlns:p', 'p:', 'xml:', "xml:lang='x'", "xmlns:xml='a'", "xmlns:xmlns='a'", 'stream:', '\0', '\x01',
  '\t', '\n', '\r', '\x7f', '\u0085', '\ufeff', '\ufffd', '\ufffe', '\uffff', '·', '-', '.', '1', 'é',
  "a='1'", " a='1'", " a='1' a='2'", '<a>', '</a>', '<a/>', '<a xmlns="">',
] // biome-ignore format: a table
