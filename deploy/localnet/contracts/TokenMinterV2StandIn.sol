// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IMintBurnToken {
    function mint(address to, uint256 amount) external returns (bool);
    function burn(uint256 amount) external;
}

/// A STAND-IN for Circle's CCTP v2 TokenMinter, for local test networks only (see MessageTransmitterV2StandIn).
/// It holds the minter role of the local USDC and knows which remote token each local one stands for.
contract TokenMinterV2StandIn {
    string public constant STAND_IN_FOR = "Circle CCTP v2 TokenMinter";

    address public immutable owner = msg.sender;
    address public localTokenMessenger;
    mapping(bytes32 => address) public remoteTokensToLocalTokens;
    mapping(address => uint256) public burnLimitsPerMessage;

    modifier onlyOwner() {
        require(msg.sender == owner, "Ownable: caller is not the owner");
        _;
    }

    modifier onlyLocalTokenMessenger() {
        require(msg.sender == localTokenMessenger, "Caller not local TokenMessenger");
        _;
    }

    function addLocalTokenMessenger(address messenger) external onlyOwner {
        localTokenMessenger = messenger;
    }

    function linkTokenPair(address localToken, uint32 remoteDomain, bytes32 remoteToken) external onlyOwner {
        remoteTokensToLocalTokens[_pair(remoteDomain, remoteToken)] = localToken;
    }

    function setMaxBurnAmountPerMessage(address token, uint256 limit) external onlyOwner {
        burnLimitsPerMessage[token] = limit;
    }

    function getLocalToken(uint32 remoteDomain, bytes32 remoteToken) public view returns (address) {
        return remoteTokensToLocalTokens[_pair(remoteDomain, remoteToken)];
    }

    function mint(
        uint32 sourceDomain,
        bytes32 burnToken,
        address recipient,
        address feeRecipient,
        uint256 amount,
        uint256 fee
    ) external onlyLocalTokenMessenger returns (address token) {
        token = getLocalToken(sourceDomain, burnToken);
        require(token != address(0), "Mint token not supported");
        require(IMintBurnToken(token).mint(recipient, amount), "First mint operation failed");
        if (fee > 0) require(IMintBurnToken(token).mint(feeRecipient, fee), "Second mint operation failed");
    }

    function burn(address token, uint256 amount) external onlyLocalTokenMessenger {
        uint256 limit = burnLimitsPerMessage[token];
        require(limit > 0, "Burn token not supported");
        require(amount <= limit, "Burn amount exceeds per tx limit");
        IMintBurnToken(token).burn(amount);
    }

    function _pair(uint32 remoteDomain, bytes32 remoteToken) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(remoteDomain, remoteToken));
    }
}
