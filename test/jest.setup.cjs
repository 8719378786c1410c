require('jwks-rsa');
