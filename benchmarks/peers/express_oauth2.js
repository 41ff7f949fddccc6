// Express with express-oauth2-jwt-bearer, as its README shows.
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";

const issuer = process.env.ISSUER;
const app = express();
app.get("/api/hello", (request, response) => response.json({ message: "Hello world!" }));
app.get(
  "/api/whoami",
  auth({ issuer, jwksUri: `${issuer}/v1/keys`, audience: "api://default" }),
  (request, response) => response.json(request.auth.payload),
);
app.listen(Number(process.argv[2]), "127.0.0.1");
