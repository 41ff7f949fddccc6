// Express with @okta/jwt-verifier, as Okta's guide shows.
import OktaJwtVerifier from "@okta/jwt-verifier";
import express from "express";

const verifier = new OktaJwtVerifier({ issuer: process.env.ISSUER });
const app = express();
app.get("/api/hello", (request, response) => response.json({ message: "Hello world!" }));
app.get("/api/whoami", async (request, response) => {
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  try {
    const { claims } = await verifier.verifyAccessToken(token, "api://default");
    response.json(claims);
  } catch {
    response.status(401).json({ error: "invalid_token" });
  }
});
app.listen(Number(process.argv[2]), "127.0.0.1");
