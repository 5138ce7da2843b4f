module.exports = { ivm: {} };
