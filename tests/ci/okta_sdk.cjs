/** Lists the groups of an organisation with Okta's own SDK, and prints their names as JSON. */
const { Client } = require("@okta/okta-sdk-nodejs");

const { ORG_URL, CLIENT_ID, PRIVATE_KEY, KEY_ID } = process.env;
const client = new Client({
  orgUrl: ORG_URL,
  authorizationMode: "PrivateKey",
  clientId: CLIENT_ID,
  scopes: ["okta.groups.read"],
  privateKey: PRIVATE_KEY,
  keyId: KEY_ID,
});

(async () => {
  const names = [];
  await (await client.groupApi.listGroups()).each((group) => void names.push(group.profile.name));
  process.stdout.write(JSON.stringify(names));
})().catch((error) => {
  process.stderr.write(String(error.stack));
  process.exit(1);
});
