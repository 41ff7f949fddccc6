"""Metadata of the distribution; everything that a tool reads stands in pyproject.toml and tox.ini."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def read_version() -> str:
    """Return the one place where the version is written, without importing what is not installed yet."""
    found = re.search(r'^__version__ = "([^"]+)"$', (HERE / "service/version.py").read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise RuntimeError("service/version.py holds no __version__")
    return found[1]


URL = "https://github.com/tornado-resource-server/tornado-resource-server"

FAKE_ISSUER = ["jwcrypto>=1.5.6", "msgspec>=0.19", "tomli-w>=1", "trustme>=1.1"]
REDIS = ["redis>=6.2"]
MEMCACHED = ["aiomcache>=0.8"]
OTEL = ["opentelemetry-api>=1.30", "opentelemetry-sdk>=1.30"]

setup(
    name="tornado-resource-server",
    version=read_version(),
    description="An OAuth 2.0 resource server for Tornado, and an offline issuer to test it with",
    long_description=(HERE / "README.rst").read_text("utf-8"),
    long_description_content_type="text/x-rst",
    author="The tornado-resource-server authors",
    url=URL,
    project_urls={
        "Documentation": f"{URL}/tree/main/docs",
        "Changelog": f"{URL}/blob/main/CHANGELOG.rst",
        "Source": URL,
        "Issues": f"{URL}/issues",
    },
    keywords=["access token", "authorization server", "JWT", "OAuth", "Okta", "resource server", "testing", "Tornado"],
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["service", "service.*", "fakeissuer", "fakeissuer.*"]),
    package_data={
        "service": ["py.typed", "web/openapi/templates/*"],
        "fakeissuer": ["py.typed", "responses/templates/*.html"],
    },
    zip_safe=False,
    python_requires=">=3.11",
    install_requires=[
        "aiocache>=0.12.3",
        "cachetools>=5.5",
        "cryptography>=44",
        "jiter>=0.8",
        "packaging>=24",
        "prometheus-client>=0.20",
        "publicsuffixlist>=1.0.2.20250101",  # released each week with the current list, and never fetches it itself
        "pybase64>=1.4",
        "pycurl>=7.45.4",  # the first with wheels that carry their own libcurl
        "pydantic>=2.10",
        "pyjwt>=2.10",
        "python-dotenv>=1",
        "tornado>=6.5.9",
    ],
    extras_require={
        "fakeissuer": FAKE_ISSUER,
        "redis": REDIS,
        "memcached": MEMCACHED,
        "otel": OTEL,  # an exporter for OTLP is chosen by the operator of the collector
        # For tests/applications, on Python 3.13; its constraints.txt pins what these depend on.
        "applications": [
            "bokeh==3.10.2",
            "flower==2.2.0",
            "ipykernel==7.4.0",
            "jupyter-server==2.21.1",
            "luigi==3.8.1",
            "sockjs-tornado==1.0.7",
            "thumbor==7.8.0",
        ],
        "bench": ["matplotlib>=3.9"],
        "docs": ["furo>=2025.9", "sphinx>=8.2"],
        "test": [
            *FAKE_ISSUER,
            *REDIS,
            *MEMCACHED,
            *OTEL,
            "anyio>=4.4",  # its pytest plugin runs a test of the README
            # Third-party clients of the fake issuer.
            "authlib>=1.6",
            "requests-oauth2client>=1.8",
            "requests-oauthlib>=2",
            "coverage[toml]>=7.6",
            "docutils>=0.21",
            "hypothesis>=6.100",
            "openapi-spec-validator>=0.9",
            "mcp>=2.3",  # its client discovers the issuer from a 401
            # Okta's verifier validates the fake issuer's tokens; it needs requests, but does not declare it.
            "okta-jwt-verifier>=0.5",
            "requests>=2.32",
            "pytest>=8.3",
            "pytest-timeout>=2.3",
            # The runner is unmaintained: 0.8.1 is its last release, and it imports pkg_resources,
            # which setuptools removed in 82 and warns of from 81 on.
            "pytest-tornado==0.8.1",
            "pytest-xdist>=3.6",
            "schemathesis>=4.30",
            "selenium>=4.30",  # drives Debian's chromium
            "setuptools<81",
        ],
    },
    entry_points={
        "console_scripts": [
            "resource-server = service.__main__:main",
            "fakeissuer = fakeissuer.__main__:main",
        ],
        "pytest11": ["fakeissuer = fakeissuer.pytest_plugin"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Web Environment",
        "Intended Audience :: Developers",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Internet :: WWW/HTTP :: HTTP Servers",
        "Topic :: Security",
        "Topic :: Software Development :: Testing :: Mocking",
        "Typing :: Typed",
    ],
)
