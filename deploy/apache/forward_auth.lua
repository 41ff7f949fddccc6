-- Sends a subrequest to the service for each request, and lets the request pass only if the service responds 200.

local http = require "socket.http"
local ltn12 = require "ltn12"

local SERVICE = "http://127.0.0.1:8080/auth/"
local IDENTITY = { "X-Auth-Subject", "X-Auth-Client-Id", "X-Auth-Scopes" }

-- Fields of the client that are about its connection and the response, or that only the proxy may send.
local NOT_SENT = {
    ["accept-encoding"] = true,
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["forwarded"] = true,
    ["host"] = true,
    ["keep-alive"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["transfer-encoding"] = true,
    ["upgrade"] = true,
    ["x-original-method"] = true,
    ["x-original-uri"] = true,
}

http.TIMEOUT = 5 -- seconds

local function respond(r, status, content_type, body)
    r.status = status
    r.content_type = content_type
    r:puts(body)
    return apache2.DONE
end

local function send_subrequest(r, gate)
    local headers = {}
    for name, value in pairs(r:headers_in_table()) do
        if not NOT_SENT[name:lower()] then
            headers[name:lower()] = value
        end
    end
    headers["host"] = r.hostname
    headers["x-forwarded-for"] = r.useragent_ip
    headers["x-forwarded-proto"] = r.is_https and "https" or "http"
    headers["x-forwarded-host"] = r.hostname
    headers["x-forwarded-method"] = r.method
    headers["x-forwarded-uri"] = r.unparsed_uri
    local body = {}
    local ok, status, response = http.request {
        url = SERVICE .. gate,
        headers = headers,
        redirect = false,
        sink = ltn12.sink.table(body),
    }
    if not ok then
        r:err("the service does not respond: " .. tostring(status))
        return 503, {}, ""
    end
    return status, response, table.concat(body)
end

function check(r)
    local gate = r.subprocess_env["forward_auth_gate"]
    local connection = (r.headers_in["Connection"] or ""):lower()
    if connection:find("x.auth") then -- Apache would remove the field that the service has sent
        return respond(r, 400, "text/plain", "Connection may not name an identity header\n")
    end
    local status, response, body = send_subrequest(r, gate)
    if status == 200 then
        for _, name in ipairs(IDENTITY) do
            local value = response[name:lower()]
            if not value then
                return respond(r, 500, "text/plain", "the service reports no identity\n")
            end
            r.headers_in[name] = value
        end
        return apache2.OK
    end
    for _, name in ipairs { "WWW-Authenticate", "Retry-After", "DPoP-Nonce", "Cache-Control",
                            "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary" } do
        if response[name:lower()] then
            r.err_headers_out[name] = response[name:lower()]
        end
    end
    if status < 400 then
        status = 503
    end
    return respond(r, status, response["content-type"] or "text/plain", body)
end
