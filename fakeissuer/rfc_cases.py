"""What a refusal is in the profile that keeps to the RFCs, where Okta's servers have a way of their own.

RFC 6749 section 5.2 has the codes of the token endpoint, RFC 7591 section 3.2.2 those of registration.
"""

from __future__ import annotations

from fakeissuer.problems import Problem

RFC_CASES: dict[Problem, tuple[int, str]] = {
    Problem.NOT_VALID: (400, "invalid_request"),
    Problem.BODY_UNREADABLE: (400, "invalid_request"),
    Problem.METADATA_UNREADABLE: (400, "invalid_client_metadata"),
    Problem.FORM_EXPECTED: (400, "invalid_request"),
    Problem.LOGIN_FAILED: (403, "access_denied"),
    Problem.FORBIDDEN: (403, "access_denied"),
    Problem.FEATURE_OFF: (403, "access_denied"),
    # RFC 7592 section 2.1: a client that is not there is not found by its token.
    Problem.API_TOKEN_INVALID: (401, "invalid_token"),
    Problem.NO_SUCH_CLIENT: (401, "invalid_token"),
    Problem.NO_SUCH_SERVER: (404, "not_found"),
    Problem.NO_SUCH_PATH: (404, "not_found"),
    Problem.NOT_IMITATED: (404, "not_found"),
    Problem.METHOD_NOT_ALLOWED: (405, "method_not_allowed"),
    Problem.TOO_MANY_REQUESTS: (429, "temporarily_unavailable"),
    Problem.INTERNAL: (500, "server_error"),
    Problem.UNAVAILABLE: (503, "temporarily_unavailable"),
    Problem.TWO_METHODS: (400, "invalid_request"),
    Problem.PKCE_REQUIRED: (400, "invalid_request"),
    Problem.CODE_FOR_ANOTHER_SERVER: (400, "invalid_grant"),
    Problem.REFRESH_WIDENED: (400, "invalid_scope"),
    Problem.SCOPE_NEEDS_OPENID: (400, "invalid_scope"),
    Problem.NO_POLICY: (400, "unauthorized_client"),
    Problem.POLICY_DENIES: (400, "invalid_scope"),
    Problem.USER_NOT_ASSIGNED: (400, "invalid_grant"),
    Problem.SUBJECT_TOKEN: (400, "invalid_request"),  # RFC 8693 section 2.2.2
    Problem.ASSERTION_ISSUER: (400, "invalid_grant"),  # RFC 7523 section 3.1
}
"""Status and code; a row of the table of problems that is not here is the same in both profiles."""
