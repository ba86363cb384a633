/** What this server's accounts tell nodes that are not theirs. No client needs to know of it. */
export const NS_HOSTED = 'urn:tactus:pubsub:0'
